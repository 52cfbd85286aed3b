"""Play: one history in the reference model, day by day, as a picture and in words."""

from sim.view.app.play.showing import page

__all__ = ["page"]
