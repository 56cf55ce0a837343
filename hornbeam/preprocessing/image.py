"""`hornbeam.preprocessing.image`: names only."""

from hornbeam.data.pictures import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]
