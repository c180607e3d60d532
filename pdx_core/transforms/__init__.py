"""What happens to a sample between the disk and the network; one set for all tasks."""
