"""A Q-learner in a corridor: it predicts and fits one row at a time, from a memory that it replays."""

import json
from collections import deque

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam

STATES, ACTIONS, GOAL = 5, 2, 4
rng = np.random.default_rng(14)


class DQNAgent:
    def __init__(self):
        self.memory = deque(maxlen=100)
        self.gamma = 0.9
        self.epsilon = 0.5
        self.model = self._build_model()

    def _build_model(self):
        model = Sequential()
        model.add(Dense(8, input_dim=STATES, activation="relu"))
        model.add(Dense(ACTIONS, activation="linear"))
        model.compile(loss="mse", optimizer=Adam(learning_rate=0.01))
        model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
        return model

    def act(self, state):
        if rng.random() <= self.epsilon:
            return int(rng.integers(ACTIONS))
        return int(np.argmax(self.model.predict(state, verbose=0)[0]))

    def replay(self, batch_size):
        for i in rng.choice(len(self.memory), batch_size, replace=False):
            state, action, reward, next_state, done = self.memory[i]
            target = reward
            if not done:
                target = reward + self.gamma * np.amax(self.model.predict(next_state, verbose=0)[0])
            target_f = self.model.predict(state, verbose=0)
            target_f[0][action] = target
            self.model.fit(state, target_f, epochs=1, verbose=0)


def one_hot(position):
    return np.eye(STATES)[position : position + 1]


agent = DQNAgent()
steps = []
for _ in range(3):
    position, done = 0, False
    steps.append(0)
    while not done and steps[-1] < 12:
        action = agent.act(one_hot(position))
        following = min(max(position + (1 if action else -1), 0), GOAL)
        done = following == GOAL
        agent.memory.append((one_hot(position), action, float(done), one_hot(following), done))
        position = following
        steps[-1] += 1
    agent.replay(5)

print(json.dumps({"steps": steps, "q": agent.model.predict(np.eye(STATES), verbose=0).tolist()}))
