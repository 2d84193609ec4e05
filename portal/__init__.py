"""What the practice keeps: accounts, records, images, their keys and their trail."""
