"""Learn: every rule with its formula, its words, its source text and a curve that moves."""

from sim.view.app.learn.showing import page

__all__ = ["page"]
