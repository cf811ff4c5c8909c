"""What users can see, recorded: held from outside, whatever moves inside."""
