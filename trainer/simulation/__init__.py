"""What simulated sensors make of a room: pictures, matching, and where a sensor stands."""
