"""Yesterday's scripts as they stand: import fastkeras.compat first, or run python -m fastkeras script.py.

From then on keras, tensorflow, tensorflow.keras, tf_keras and keras_preprocessing, with all their modules of Keras 1, 2
and 3, are fastkeras, whether the packages of these names are installed or not (compat/finder.py). Names and arguments
that Keras 3 no longer has are understood, and for each there is one notice that says what it is called now
(compat/notices.py). What is not there says so, and what to write instead.

`import fastkeras as keras` needs none of this.
"""

from fastkeras.compat import finder

finder.install()
