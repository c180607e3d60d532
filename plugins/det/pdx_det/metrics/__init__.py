"""How good boxes are: COCO and VOC precision, confusions, kinds of errors."""
