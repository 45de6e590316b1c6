"""Readers of training samples, masks and augmentation."""
