"""The page that `lull app` serves: explore, play and learn, each built anew for every visitor."""
