"""Adaptation Lab: prompt, fine-tune and compare one small language model in the browser."""
