"""What a vendor's library has beside its streams: options as controls, inertial sensors, filters."""
