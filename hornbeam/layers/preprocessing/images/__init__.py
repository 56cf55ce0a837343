"""Layers that prepare and change images, together with what belongs to them: labels, boxes, masks."""
