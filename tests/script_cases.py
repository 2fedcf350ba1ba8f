"""Scripts as learners write them, tests/scripts/*.py, and how TensorFlow runs them (running.py: how fastkeras does).

Each prints what it has computed as one line of JSON, its last. Weights come from numpy's generator with a seed, nothing
is shuffled and nothing dropped out, so that TensorFlow computes the same. Names begin with the tier: t0 the tutorial
chapter, t1 what most scripts use besides, t2 graphs and objects, t3 the spellings of Keras 1 and 2, t4 tensors one can
look at, t5 data sets, t6 gradients through code of people's own, t7 what is not here.

scripts/failing holds those that cannot run; scripts/modern what TensorFlow runs in place of scripts of the same name,
whose spellings it has given up or which take it minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).with_name("scripts")

# The Keras that each script is compared with. tf_keras where Keras 3 has lost something that the script uses (the
# backend's functions, a discriminator that is frozen after it was compiled), or sums the squares of an embedding's
# repeated ids otherwise than the formula says.
PEERS = {
    "t0_chapter": "keras",
    "t0_linear_regression": "keras",
    "t0_sentiment_gru": "keras",
    "t0_tagging": "tf_keras",
    "t0_topics_lstm": "tf_keras",
    "t1_addition": "keras",
    "t1_callbacks": "keras",
    "t1_char_rnn": "keras",
    "t1_conv_autoencoder": "keras",
    "t1_convnet": "keras",
    "t1_gan": "tf_keras",
    "t1_kfold": "keras",
    "t1_pretrained_embedding": "keras",
    "t1_q_learner": "keras",
    "t1_stateful_lstm": "keras",
    "t1_xor": "keras",
    "t2_embeddings_dot": "keras",
    "t2_many_inputs": "tf_keras",
    "t2_objects": "keras",
    "t2_residual": "keras",
    "t2_seq2seq": "tf_keras",
    "t2_siamese": "tf_keras",
    "t3_decay": "tf_keras",
    "t3_generators": "keras",
    "t3_merge": "keras",
    "t3_old_spellings": "tf_keras",
    "t4_eager": "keras",
    "t4_variables": "keras",
    "t5_dataset": "keras",
    "t5_picture_folders": "keras",
    "t5_pictures": "tf_keras",
    "t5_structured_data": "keras",
    "t5_text_folder": "keras",
    "t6_attention": "tf_keras",
    "t6_backend": "tf_keras",
    "t6_cells_and_regularizers": "keras",
    "t6_custom_layer": "keras",
    "t6_gradient_tape": "keras",
    "t6_subclass": "keras",
    "t6_train_step": "keras",
    "t6_transformer": "keras",
    "t6_vae": "keras",
}
# Scripts that cannot run, and what their last line says.
FAILING = {
    "t0_labels": "for integer labels use sparse_categorical_crossentropy, or utils.to_categorical(y, 3).",
    "t0_slips": "Unknown argument of fit. Did you mean 'epochs'? Received: 'epoches'",
    "t3_sessions": "fastkeras has no tensorflow.placeholder. Write a function of tensors, or keras.Input for a model.",
    "t7_pretrained": "fastkeras has no tensorflow.keras.applications.VGG16. Pretrained networks of pictures are",
    "t7_saved_model": "fastkeras has no tensorflow.saved_model. Models are saved as *.keras and *.h5: model.save and ",
}


def path_for_tensorflow(name):
    """The script itself, or what stands for it with TensorFlow."""
    modern = FOLDER / "modern" / f"{name}.py"
    return modern if modern.exists() else FOLDER / f"{name}.py"


def results(printed):
    """What a script has computed, from all that it has printed."""
    return json.loads(printed.splitlines()[-1])


def run_with_tensorflow(names, peer, eagerly=True):
    """{name: what the script has computed}, from one process for all, in the order given.

    eagerly: without compiling each model's functions, which takes longer than to run them a few times.
    """
    command = [sys.executable, str(FOLDER.with_name("run_with_tensorflow.py")), peer]
    command += ["--eagerly"] if eagerly else []
    command += [str(path_for_tensorflow(name)) for name in names]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "TF_USE_LEGACY_KERAS": str(int(peer == "tf_keras")),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return dict(zip(names, results(done.stdout), strict=True))
