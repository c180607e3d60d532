"""What a segmenter is trained with: each loss takes logits [N, K, H, W] and labels [N, H, W] and gives one number."""
