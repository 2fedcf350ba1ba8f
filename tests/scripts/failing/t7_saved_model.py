"""A model saved in a folder, as TensorFlow has it."""

import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
model.predict(np.zeros((1, 2)), verbose=0)
tf.saved_model.save(model, "my_model")
