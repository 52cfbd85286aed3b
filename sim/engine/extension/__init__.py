"""How extensions become part of the engines: what they read and change, where it is kept, and engines built with it."""
