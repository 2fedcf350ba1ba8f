"""Losses, metrics and Lambda layers written with K.*"""

import json

import numpy as np
from keras import backend as K
from keras.layers import Activation, Dense, Input, Lambda
from keras.models import Model, Sequential

rng = np.random.default_rng(36)
X = rng.normal(size=(40, 4)).astype("float32")
Y = np.stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]], axis=1)


def rmse(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_pred - y_true)))


def within(y_true, y_pred):
    return K.mean(K.cast(K.less(K.abs(y_true - y_pred), 0.5), "float32"))


def weighted(alpha):
    def loss(y_true, y_pred):
        return alpha * K.mean(K.abs(y_true - y_pred), axis=-1) + K.mean(K.square(y_true - y_pred), axis=-1)

    return loss


def swish(x):
    return x * K.sigmoid(x)


model = Sequential()
model.add(Dense(8, input_shape=(4,)))
model.add(Lambda(swish))
model.add(Dense(8, activation=swish))
model.add(Lambda(lambda x: K.l2_normalize(x, axis=1)))
model.add(Dense(2))
model.compile(optimizer="adam", loss=weighted(0.3), metrics=[rmse, within])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit(X, Y, batch_size=10, epochs=3, shuffle=False, verbose=0)

inputs = Input((4,))
both = Lambda(lambda t: K.concatenate([t[0], K.relu(t[1])], axis=-1))([inputs, Activation("tanh")(inputs)])
summed = Model(inputs, Lambda(lambda t: K.sum(t, axis=1, keepdims=True))(both))

value = K.variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
print(
    json.dumps(
        {
            "history": history.history,
            "predictions": model.predict(X[:3], verbose=0).tolist(),
            "summed": summed.predict(X[:3], verbose=0).tolist(),
            "shape": list(K.int_shape(summed.output))[1:],
            "dot": K.get_value(K.dot(value, value)).tolist(),
            "max": K.eval(K.max(value, axis=0)).tolist(),
            "softmax": np.array(K.softmax(value)).tolist(),
        }
    )
)
