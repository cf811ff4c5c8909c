"""What a user asks for: specs, their parts, and how documents become specs."""
