"""`make check-infra`: checks of infra/ that need neither a container engine nor a cloud."""
