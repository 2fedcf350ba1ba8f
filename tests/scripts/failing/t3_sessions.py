"""TensorFlow 1: placeholders, a graph that is built first, and a session that runs it."""

import tensorflow as tf

tf.set_random_seed(777)
X = tf.placeholder(tf.float32, shape=[None])
W = tf.Variable(tf.random_normal([1]), name="weight")
hypothesis = X * W
sess = tf.Session()
sess.run(tf.global_variables_initializer())
print(sess.run(hypothesis, feed_dict={X: [1, 2, 3]}))
