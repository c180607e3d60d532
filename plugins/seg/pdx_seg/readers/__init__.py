"""Datasets of label maps: lists, folders, VOC, Cityscapes and LabelMe polygons."""
