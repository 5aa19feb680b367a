"""The main job of Milepost on a real project, from end to end: `python -m tests.demo`."""
