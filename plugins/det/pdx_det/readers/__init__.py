"""Datasets of boxes: COCO json, VOC xml, YOLO txt, LabelMe json."""
