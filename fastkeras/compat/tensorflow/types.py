"""tf.float32 and its kind: numpy's types, and of texts the word."""

import numpy as np

float16, float32, float64 = np.float16, np.float32, np.float64
int8, int16, int32, int64, uint8 = np.int8, np.int16, np.int32, np.int64, np.uint8
bool, string = np.bool_, "string"
