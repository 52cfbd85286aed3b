"""The report: one page that stands alone, on a screen, on a phone and on paper."""
