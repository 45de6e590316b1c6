"""What `python main.py <verb>` does; one file for each verb or pair of verbs."""
