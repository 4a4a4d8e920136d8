"""Where NeuroGym keeps its schedules."""
