"""What the library says to people who learn, in English and in Korean: one table, both languages side by side.

FASTKERAS_LANG=ko in the environment chooses Korean; English is said otherwise. Names of the code (layers, arguments,
shapes) stay as they are in both. A message ends with what was received.
"""

import difflib
import functools
import os
import sys
import warnings

_RECEIVED = {"en": "Received: ", "ko": "받은 값: "}  # what a message ends with, before what was received
LANGUAGES = tuple(_RECEIVED)

TABLE = {
    # --- unknown names ---
    "unknown_but_near": {
        "en": "Unknown {kind}. Did you mean '{guess}'? Received: {received}",
        "ko": "알 수 없는 {kind}입니다. 혹시 '{guess}'인가요? 받은 값: {received}",
    },
    "unknown": {
        "en": "Unknown {kind}. Known: {known}. Received: {received}",
        "ko": "알 수 없는 {kind}입니다. 쓸 수 있는 이름: {known}. 받은 값: {received}",
    },
    "kind_argument": {"en": "argument of {owner}", "ko": "{owner}의 인수"},
    "kind_name": {"en": "name in {owner}", "ko": "{owner}의 이름"},
    "kind_output": {"en": "output in {owner}", "ko": "{owner}의 출력"},
    "kind_layer": {"en": "layer", "ko": "층(layer)"},
    "kind_loss": {"en": "loss", "ko": "손실 함수(loss)"},
    "kind_metric": {"en": "metric", "ko": "평가 지표(metric)"},
    "kind_optimizer": {"en": "optimizer", "ko": "옵티마이저(optimizer)"},
    "kind_activation": {"en": "activation", "ko": "활성화 함수(activation)"},
    "kind_initializer": {"en": "initializer", "ko": "초기화 방법(initializer)"},
    "kind_regularizer": {"en": "regularizer", "ko": "규제(regularizer)"},
    "kind_constraint": {"en": "constraint", "ko": "제약(constraint)"},
    # --- before training ---
    "not_compiled": {
        "en": "Model '{model}' must be compiled before it is trained or evaluated: model.compile(...)",
        "ko": "모델 '{model}': 훈련이나 평가를 하기 전에 먼저 컴파일해야 합니다: model.compile(...)",
    },
    "not_built": {
        "en": "Model '{model}' is not built yet. Give its first layer an input shape (`input_shape=...` or "
        "keras.Input), call model.build(input_shape), or fit it on data.",
        "ko": "모델 '{model}'의 입력 크기를 아직 알 수 없습니다. 첫 층에 `input_shape=...`을 넣거나 keras.Input을 "
        "쓰거나, model.build(input_shape)를 호출하거나, 데이터로 fit을 실행하세요.",
    },
    "symbol_among_values": {
        "en": "A symbolic tensor of the model, which has no values, is used where a loss or a `call` computes with "
        "values. A loss that depends on a layer's output is added to the model: model.add_loss(tensor), before "
        "model.compile(...). Received: {received}",
        "ko": "값이 없는 심볼릭 텐서를 손실 함수나 `call`이 값을 계산하는 곳에서 사용했습니다. 층의 출력에 따라 "
        "달라지는 손실은 model.compile(...) 전에 model.add_loss(텐서)로 모델에 더하세요. 받은 값: {received}",
    },
    "loss_of_symbols": {
        "en": "Loss '{loss}' is computed from values, not from a model's symbolic tensors. What model.add_loss(...) is "
        "to add is written with keras.ops: ops.mean(ops.square(x - y), axis=-1), ops.binary_crossentropy(x, y). "
        "Received: {received}",
        "ko": "손실 함수 '{loss}': 값으로 계산하며, 모델의 심볼릭 텐서로는 계산하지 않습니다. model.add_loss(...)에 "
        "더할 손실은 keras.ops로 쓰세요: ops.mean(ops.square(x - y), axis=-1), ops.binary_crossentropy(x, y). "
        "받은 값: {received}",
    },
    "no_loss": {
        "en": "The model was compiled without a loss: model.compile(loss=...). Received: loss=None",
        "ko": "모델이 손실 함수 없이 컴파일되었습니다: model.compile(loss=...). 받은 값: loss=None",
    },
    "x_missing": {
        "en": "`x`, the input data, is missing. Received: x=None",
        "ko": "입력 데이터 `x`가 없습니다. 받은 값: x=None",
    },
    "y_missing": {
        "en": "`y`, the targets, is missing. Received: y=None",
        "ko": "정답 데이터 `y`가 없습니다. 받은 값: y=None",
    },
    "no_batch_axis": {
        "en": "`x` must have a batch axis. Received: a single number, {received}",
        "ko": "`x`에는 샘플 수를 나타내는 배치 축이 있어야 합니다. 받은 값: 숫자 하나, {received}",
    },
    "x_empty": {
        "en": "`x` must hold at least one sample. Received: shape {received}",
        "ko": "`x`에는 샘플이 하나 이상 있어야 합니다. 받은 값: shape {received}",
    },
    "inputs_differ_in_length": {
        "en": "All inputs must have the same length. Received: {received}",
        "ko": "모든 입력의 샘플 수가 같아야 합니다. 받은 값: {received}",
    },
    "number_of_inputs": {
        "en": "Model '{model}': expected {count} inputs, {names}. Received: {received}",
        "ko": "모델 '{model}'에는 입력 {count}개가 필요합니다: {names}. 받은 값: {received}개",
    },
    "lengths_differ": {
        "en": "`x` and `{y}` must have the same length. Received: {received_x} in x, {received} in y",
        "ko": "`x`와 `{y}`의 샘플 수가 같아야 합니다. 받은 값: x는 {received_x}개, y는 {received}개",
    },
    "rows_differ_in_length": {
        "en": "`{name}`: the rows have different lengths; pad them first (pad_sequences). Received: {received}",
        "ko": "`{name}`의 행마다 길이가 다릅니다. 먼저 pad_sequences로 길이를 맞추세요. 받은 값: {received}",
    },
    "rows_of_objects": {
        "en": "`{name}` must hold numbers, in rows of equal length. Received: {received}",
        "ko": "`{name}`에는 길이가 같은 행에 담긴 숫자를 넣어야 합니다. 받은 값: {received}",
    },
    "not_numbers": {
        "en": "`{name}` must hold numbers. Received: dtype {dtype}, {received}",
        "ko": "`{name}`에는 숫자를 넣어야 합니다. 받은 값: dtype {dtype}, {received}",
    },
    "texts_as_inputs": {
        "en": "`{name}` must hold numbers; text must be encoded as numbers first (Tokenizer and pad_sequences, or a "
        "TextVectorization layer). Received: dtype {dtype}, {received}",
        "ko": "`{name}`에는 숫자를 넣어야 합니다. 텍스트는 먼저 숫자로 바꾸세요(Tokenizer와 pad_sequences, 또는 "
        "TextVectorization 층). 받은 값: dtype {dtype}, {received}",
    },
    "texts_as_targets": {
        "en": "`{name}` must hold numbers; give each class a number first (numpy.unique(y, return_inverse=True)[1]). "
        "Received: dtype {dtype}, {received}",
        "ko": "`{name}`에는 숫자를 넣어야 합니다. 먼저 클래스마다 번호를 붙이세요"
        "(numpy.unique(y, return_inverse=True)[1]). 받은 값: dtype {dtype}, {received}",
    },
    "nan": {
        "en": "`{name}` must not hold NaN (missing values): fill or drop them. Received: NaN at {received}",
        "ko": "`{name}`에 NaN(빠진 값)이 있으면 안 됩니다. 값을 채우거나 그 행을 빼세요. 받은 값: {received}의 NaN",
    },
    "input_shape": {
        "en": "`x`: layer '{layer}' ({kind}) of model '{model}' expects an input of shape {expected}. "
        "Received: shape {received}",
        "ko": "`x`: 모델 '{model}'의 층 '{layer}' ({kind})에는 shape {expected}인 입력이 필요합니다. "
        "받은 값: shape {received}",
    },
    "cure_single_sample": {
        "en": "A single sample needs a batch axis, x[None].",
        "ko": "샘플 하나에도 배치 축이 필요합니다: x[None].",
    },
    "cure_flatten": {
        "en": "Flatten the samples, x.reshape(len(x), {size}), or begin with Flatten(input_shape={shape}).",
        "ko": "x.reshape(len(x), {size})로 샘플을 펴거나 Flatten(input_shape={shape})으로 모델을 시작하세요.",
    },
    "cure_reshape": {
        "en": "The samples have as many numbers: x.reshape(-1, {shape}).",
        "ko": "샘플에 든 숫자의 개수는 같습니다: x.reshape(-1, {shape}).",
    },
    # --- arguments of fit, evaluate and predict ---
    "verbose": {
        "en": "`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={received}",
        "ko": "`verbose`에는 0, 1, 2나 'auto'를 넣어야 합니다. 받은 값: verbose={received}",
    },
    "not_an_integer": {
        "en": "`{name}` must be an integer. Received: {name}={received}",
        "ko": "`{name}`에는 정수를 넣어야 합니다. 받은 값: {name}={received}",
    },
    "cure_by_name": {
        "en": "Validation data are given by name, validation_data=(x, y).",
        "ko": "검증 데이터는 validation_data=(x, y)처럼 이름을 붙여 넣으세요.",
    },
    "too_small": {
        "en": "`{name}` must be at least {least}. Received: {name}={received}",
        "ko": "`{name}`에는 {least} 이상의 수를 넣어야 합니다. 받은 값: {name}={received}",
    },
    "not_a_fraction": {
        "en": "`{name}` must be a number of at least 0 and below 1. Received: {name}={received}",
        "ko": "`{name}`에는 0 이상 1 미만의 수를 넣어야 합니다. 받은 값: {name}={received}",
    },
    "shuffle": {
        "en": "`shuffle` must be True, False or 'batch'. Received: shuffle={received}",
        "ko": "`shuffle`에는 True, False나 'batch'를 넣어야 합니다. 받은 값: shuffle={received}",
    },
    "no_data": {
        "en": "`x` must hold numbers, or give batches of them. Received: {received}",
        "ko": "`x`에는 숫자 배열이나 그런 배치를 주는 객체를 넣어야 합니다. 받은 값: {received}",
    },
    "batches_come_alone": {
        "en": "`{name}` must be left out when `x` gives the batches, (x, y). Received: x={received}",
        "ko": "`x`에서 배치 (x, y)가 나올 때에는 `{name}` 자리를 비워야 합니다. 받은 값: x={received}",
    },
    "no_batches": {
        "en": "`x` must give at least one batch. Received: {received}, which gives none",
        "ko": "`x`에서 배치가 하나 이상 나와야 합니다. 받은 값: 배치가 없는 {received}",
    },
    "parts_of_a_batch": {
        "en": "A batch must be x, (x, y) or (x, y, sample_weight). Received: {received} items",
        "ko": "배치는 x, (x, y)나 (x, y, sample_weight)여야 합니다. 받은 값: {received}개",
    },
    "parts_of_validation_data": {
        "en": "must be (x, y), (x, y, sample_weight), or give batches of them. Received: {received}",
        "ko": "(x, y)나 (x, y, sample_weight), 또는 그런 배치를 주는 객체여야 합니다. 받은 값: {received}",
    },
    "split_of_batches": {
        "en": "`validation_split` needs `x` and `y` as arrays; give `validation_data` instead. "
        "Received: validation_split={received}, and `x` that gives batches",
        "ko": "`validation_split`에는 배열인 `x`와 `y`가 필요합니다. 대신 `validation_data`를 넣으세요. "
        "받은 값: validation_split={received}, 그리고 배치를 주는 `x`",
    },
    "split_leaves_none": {
        "en": "`validation_split` must leave samples to train and to validate on. "
        "Received: {received} of {samples} samples",
        "ko": "`validation_split`으로 나눈 훈련 데이터와 검증 데이터에 모두 샘플이 있어야 합니다. "
        "받은 값: 샘플 {samples}개의 {received}",
    },
    "shape_of_weights": {
        "en": "`{name}` must have one weight per sample, shape {shape}. Received: shape {received}",
        "ko": "`{name}`에는 샘플마다 가중치 하나, shape {shape}인 배열을 넣어야 합니다. 받은 값: shape {received}",
    },
    "class_weight": {
        "en": "`class_weight` must be a dict from class number to weight. Received: {received}",
        "ko": "`class_weight`에는 클래스 번호에서 가중치로 가는 dict를 넣어야 합니다. 받은 값: {received}",
    },
    "two_weights": {
        "en": "`class_weight` and `sample_weight` cannot be given together. Received: both",
        "ko": "`class_weight`와 `sample_weight`를 함께 넣을 수 없습니다. 받은 값: 둘 다",
    },
    "inputs_missing": {
        "en": "`x`: no data for the inputs {missing}. Received: keys {received}",
        "ko": "`x`에 입력 {missing}의 데이터가 없습니다. 받은 값: 키 {received}",
    },
    "targets_missing": {
        "en": "`y`: no targets for the outputs {missing}. Received: {received}",
        "ko": "`y`에 출력 {missing}의 정답이 없습니다. 받은 값: {received}",
    },
    # --- building models ---
    "positive_integer": {
        "en": "{layer}: `{name}` must be a positive integer. Received: {name}={received}",
        "ko": "{layer}: `{name}`에는 양의 정수를 넣어야 합니다. 받은 값: {name}={received}",
    },
    "shape": {
        "en": "{layer}: `{name}` must hold the extents of the input, positive integers, or None where an extent is not "
        "known. Received: {name}={received}",
        "ko": "{layer}: `{name}`에는 입력의 크기를 양의 정수로 넣어야 합니다. 정해지지 않은 축에는 None을 넣습니다. "
        "받은 값: {name}={received}",
    },
    "integers": {
        "en": "{layer}: `{name}` must be an integer, or a list of integers. Received: {name}={received}",
        "ko": "{layer}: `{name}`에는 정수나 정수의 리스트를 넣어야 합니다. 받은 값: {name}={received}",
    },
    "not_a_list": {
        "en": "{layer}: `{name}` must be a tuple of integers, such as (28, 28). Received: {name}={received}",
        "ko": "{layer}: `{name}`에는 (28, 28)과 같은 정수의 튜플을 넣어야 합니다. 받은 값: {name}={received}",
    },
    "no_layer": {
        "en": "Sequential.add: expected a Layer or an Input. Received: {received}",
        "ko": "Sequential.add에는 Layer나 Input을 넣어야 합니다. 받은 값: {received}",
    },
    "no_layers": {
        "en": "Sequential '{model}' has no layers. Add some before it is used: model.add(...)",
        "ko": "Sequential '{model}'에 층이 없습니다. 쓰기 전에 먼저 층을 더하세요: model.add(...)",
    },
    "two_of_one_name": {
        "en": "Sequential '{model}': layers must have different names. Received: a second '{received}'",
        "ko": "Sequential '{model}': 층의 이름은 서로 달라야 합니다. 받은 값: 두 번째 '{received}'",
    },
    # --- files ---
    "no_file": {
        "en": "No such file in {folder}. Received: '{received}'",
        "ko": "{folder}에 그런 파일이 없습니다. 받은 값: '{received}'",
    },
    "cure_near_file": {"en": "Did you mean '{guess}'?", "ko": "혹시 '{guess}'인가요?"},
    # --- what layers are called on ---
    "in_layer": {"en": "Layer '{layer}' ({kind}): ", "ko": "층 '{layer}' ({kind}): "},
    "one_input": {
        "en": "Layer '{layer}' ({kind}) takes one input; a list of tensors is merged first, Concatenate()([a, b]). "
        "Received: {received}",
        "ko": "층 '{layer}' ({kind})에는 입력이 하나만 필요합니다. 여러 텐서는 먼저 Concatenate()([a, b])처럼 "
        "합치세요. 받은 값: {received}",
    },
    "symbolic_mask": {
        "en": "Layer '{layer}' ({kind}): on symbolic tensors `mask` must be a symbolic tensor, or a list of one or "
        "None for each of the {count} inputs. Received: {received}",
        "ko": "층 '{layer}' ({kind}): 심볼릭 텐서에 호출할 때 `mask`는 심볼릭 텐서이거나, "
        "입력 {count}개마다 심볼릭 텐서 또는 None을 담은 리스트여야 합니다. 받은 값: {received}",
    },
    "training": {
        "en": "Layer '{layer}' ({kind}): `training` must be True, False or None. Received: {received}",
        "ko": "층 '{layer}' ({kind}): `training`은 True, False 또는 None이어야 합니다. 받은 값: {received}",
    },
    "weights_of_layer": {
        "en": "Layer '{layer}': set_weights() wants {count} arrays of shapes {expected}. Received: {received}",
        "ko": "층 '{layer}': set_weights()에는 shape {expected}인 배열 {count}개를 넣어야 합니다. 받은 값: {received}",
    },
    # --- shapes between layers ---
    "places_for_layer": {
        "en": "Layer '{layer}' ({kind}): expected at least {least} places. Received: shape {received}",
        "ko": "층 '{layer}' ({kind})에는 크기가 {least} 이상인 입력이 필요합니다. 받은 값: shape {received}",
    },
    "channels_unknown": {
        "en": "Layer '{layer}' ({kind}): the number of input channels must be known. Received: shape {received}",
        "ko": "층 '{layer}' ({kind}): 입력의 채널 수가 정해져 있어야 합니다. 받은 값: shape {received}",
    },
    "channels_for_layer": {
        "en": "Layer '{layer}' ({kind}): expected {count} input channels. Received: shape {received}",
        "ko": "층 '{layer}' ({kind})에는 채널이 {count}개인 입력이 필요합니다. 받은 값: shape {received}",
    },
    "channels_in_groups": {
        "en": "Layer '{layer}' ({kind}): expected a multiple of {groups} input channels. Received: shape {received}",
        "ko": "층 '{layer}' ({kind})에는 채널 수가 {groups}의 배수인 입력이 필요합니다. 받은 값: shape {received}",
    },
    "values_for_reshape": {
        "en": "Layer '{layer}' (Reshape): {size} values do not fit into target_shape={target}. "
        "Received: shape {received}",
        "ko": "층 '{layer}' (Reshape): 값 {size}개를 target_shape={target}에 맞출 수 없습니다. "
        "받은 값: shape {received}",
    },
    "shape_for_layer": {
        "en": "Layer '{layer}' ({kind}): expected an input of shape {expected}. Received: shape {received}",
        "ko": "층 '{layer}' ({kind})에는 shape {expected}인 입력이 필요합니다. 받은 값: shape {received}",
    },
    "features_for_layer": {
        "en": "Layer '{layer}' ({kind}): expected {count} input features on the last axis. Received: shape {received}",
        "ko": "층 '{layer}' ({kind})에는 마지막 축의 특성이 {count}개인 입력이 필요합니다. 받은 값: shape {received}",
    },
    "features_for_dense": {
        "en": "Layer '{layer}' (Dense): expected an input of shape (batch, ..., features) with a known number of "
        "features. Received: shape {received}",
        "ko": "층 '{layer}' (Dense)에는 특성의 개수가 정해진 shape (batch, ..., features)의 입력이 필요합니다. "
        "받은 값: shape {received}",
    },
    "cure_return_sequences": {
        "en": "The layer before it, '{before}' ({kind}), gives its last step alone: set return_sequences=True there.",
        "ko": "바로 앞 층 '{before}' ({kind})에서는 마지막 스텝만 나옵니다. 그 층에 return_sequences=True를 쓰세요.",
    },
    "cure_no_steps_left": {
        "en": "The layer before it, '{before}' ({kind}), leaves no steps: take it away.",
        "ko": "바로 앞 층 '{before}' ({kind})에서 스텝 축이 없어집니다. 그 층을 빼세요.",
    },
    "cure_channels": {
        "en": "Images need an axis of channels: x[..., None], and input_shape={shape}.",
        "ko": "이미지에는 채널 축이 필요합니다: x[..., None], 그리고 input_shape={shape}.",
    },
    "cure_sequences": {
        "en": "Ids of words need an Embedding before it; numbers an axis of features, x[..., None].",
        "ko": "단어 번호라면 앞에 Embedding 층을, 숫자라면 특성 축을 더하세요: x[..., None].",
    },
    "ids_outside": {
        "en": "Layer '{layer}' (Embedding): ids must lie in [0, {input_dim}), its `input_dim`. {cure} "
        "Received: {received}",
        "ko": "층 '{layer}' (Embedding)의 번호는 [0, {input_dim}) 안에 있어야 합니다(`input_dim`). {cure} "
        "받은 값: {received}",
    },
    "cure_larger_input_dim": {
        "en": "The largest id is {largest}: Embedding({needed}, ...), which is len(tokenizer.word_index) + 1 for all "
        "words, or Tokenizer(num_words={input_dim}).",
        "ko": "가장 큰 번호가 {largest}이므로 Embedding({needed}, ...)으로 바꾸거나(모든 단어라면 "
        "len(tokenizer.word_index) + 1) Tokenizer(num_words={input_dim})을 쓰세요.",
    },
    "cure_no_ids": {
        "en": "Ids are whole numbers from 0 on.",
        "ko": "번호는 0 이상의 정수여야 합니다.",
    },
    "place_of_id": {
        "en": "{value} in row {row}, place {place}",
        "ko": "{row}번 행의 {place} 자리에서 {value}",
    },
    # --- the last layer, the loss and the targets ---
    "softmax_of_one": {
        "en": "Layer '{layer}' ({kind}): softmax over one unit is always 1, so nothing can be learned. Use "
        "activation='sigmoid' for two classes, or as many units as there are classes. "
        "Received: output of shape {received}",
        "ko": "층 '{layer}' ({kind}): 유닛이 하나인 softmax의 출력은 항상 1이므로 아무것도 배울 수 없습니다. 클래스가 "
        "둘이면 activation='sigmoid'를, 아니면 클래스 수만큼의 유닛을 쓰세요. 받은 값: shape {received}인 출력",
    },
    "classes_of_one": {
        "en": "Layer '{layer}' ({kind}) has one unit, and `loss`, {loss}, needs one for each class. Use "
        "loss='binary_crossentropy' with activation='sigmoid' for two classes. Received: output of shape {received}",
        "ko": "층 '{layer}' ({kind})의 유닛은 하나인데 `loss`인 {loss}에는 클래스마다 하나씩 필요합니다. 클래스가 "
        "둘이면 loss='binary_crossentropy'와 activation='sigmoid'를 쓰세요. 받은 값: shape {received}인 출력",
    },
    "logits_of_probabilities": {
        "en": "Layer '{layer}' ({kind}) ends in {activation}, but `loss`, {loss}, was made with from_logits=True: "
        "take away one of the two. Received: from_logits=True",
        "ko": "층 '{layer}' ({kind})의 활성화 함수가 {activation}인데 `loss`인 {loss}에 from_logits=True를 넣었습니다. "
        "둘 중 하나를 빼세요. 받은 값: from_logits=True",
    },
    "probabilities_of_logits": {
        "en": "Layer '{layer}' ({kind}) ends in {activation}, but `loss`, {loss}, takes its outputs for probabilities: "
        "set activation='{wanted}' there, or from_logits=True in the loss. Received: activation='{received}'",
        "ko": "층 '{layer}' ({kind})의 활성화 함수가 {activation}인데 `loss`인 {loss}에는 확률이 필요합니다. 그 층에 "
        "activation='{wanted}'를 넣거나 손실 함수에 from_logits=True를 넣으세요. 받은 값: activation='{received}'",
    },
    "labels_for_categorical": {
        "en": "`{y}` holds integer labels, but `loss`, {loss}, compares rows of {units} numbers with layer '{layer}' "
        "({kind}): for integer labels use sparse_categorical_crossentropy, or utils.to_categorical(y, {units}). "
        "Received: y of shape {received}, output of shape {output}",
        "ko": "`{y}`에는 정수 레이블이 있는데 `loss`인 {loss}에는 층 '{layer}' ({kind})의 출력처럼 숫자 {units}개인 "
        "행이 필요합니다. sparse_categorical_crossentropy나 utils.to_categorical(y, {units})를 쓰세요. "
        "받은 값: y는 shape {received}, 출력은 shape {output}",
    },
    "one_hot_for_sparse": {
        "en": "`{y}` holds one-hot rows, but `loss`, {loss}, wants the number of the class for layer '{layer}' "
        "({kind}): for one-hot targets use the name without 'sparse', or y.argmax(axis=-1). "
        "Received: y of shape {received}, output of shape {output}",
        "ko": "`{y}`에는 원-핫 벡터가 있는데 `loss`인 {loss}에는 층 '{layer}' ({kind})의 클래스 번호가 필요합니다. "
        "이름에서 'sparse'를 빼거나 y.argmax(axis=-1)을 쓰세요. 받은 값: y는 shape {received}, 출력은 shape {output}",
    },
    "labels_outside": {
        "en": "`{y}`: labels must be in [0, {units}), one for each unit of layer '{layer}' ({kind}), for `loss`, "
        "{loss}. {cure} Received: labels from {received_from} to {received}",
        "ko": "`{y}`: `loss`인 {loss}에서 레이블은 [0, {units}) 안에 있어야 합니다. 층 '{layer}' ({kind})의 유닛마다 "
        "하나입니다. {cure} 받은 값: {received_from}부터 {received}까지의 레이블",
    },
    "cure_labels_from_one": {"en": "Count from 0: y - 1.", "ko": "0부터 세세요: y - 1."},
    "cure_negative_labels": {
        "en": "Classes are numbered from 0 on.",
        "ko": "클래스 번호는 0부터 시작합니다.",
    },
    "cure_more_units": {
        "en": "For {classes} classes: Dense({classes}).",
        "ko": "클래스가 {classes}개라면 Dense({classes})로 바꾸세요.",
    },
    "two_units_for_binary": {
        "en": "`{y}` holds one label for each sample, but layer '{layer}' ({kind}) has {units} units, each of which "
        "`loss`, {loss}, compares with a number: use one unit with activation='sigmoid', or keep the units and use "
        "sparse_categorical_crossentropy. Received: y of shape {received}, output of shape {output}",
        "ko": "`{y}`에는 샘플마다 레이블이 하나인데 층 '{layer}' ({kind})의 유닛은 {units}개이고 `loss`인 {loss}에는 "
        "유닛마다 숫자가 하나씩 필요합니다. activation='sigmoid'인 유닛 하나를 쓰거나, 유닛을 그대로 두고 "
        "sparse_categorical_crossentropy를 쓰세요. 받은 값: y는 shape {received}, 출력은 shape {output}",
    },
    "columns_differ": {
        "en": "`{y}` has {columns} columns and layer '{layer}' ({kind}) {units}: give the layer {columns} units, or y "
        "as many columns; `loss` is {loss}. Received: y of shape {received}, output of shape {output}",
        "ko": "`{y}`의 열은 {columns}개인데 층 '{layer}' ({kind})의 유닛은 {units}개입니다. 유닛을 {columns}개로 "
        "하거나 y의 열 수를 맞추세요. `loss`는 {loss}입니다. 받은 값: y는 shape {received}, 출력은 shape {output}",
    },
    "steps_left_over": {
        "en": "`{y}` holds one target for each sample, but layer '{layer}' ({kind}) gives one for each step: set "
        "return_sequences=False in the last recurrent layer, or put Flatten or GlobalMaxPooling1D before the last "
        "layer; `loss` is {loss}. Received: y of shape {received}, output of shape {output}",
        "ko": "`{y}`에는 샘플마다 정답이 하나인데 층 '{layer}' ({kind})의 출력은 스텝마다 하나입니다. 마지막 순환 층에 "
        "return_sequences=False를 넣거나 마지막 층 앞에 Flatten이나 GlobalMaxPooling1D를 두세요. `loss`는 "
        "{loss}입니다. 받은 값: y는 shape {received}, 출력은 shape {output}",
    },
    "not_between_0_and_1": {
        "en": "`{y}`: `loss`, {loss}, compares with probabilities, so targets lie between 0 and 1. {cure} "
        "Received: values from {received_from} to {received}",
        "ko": "`{y}`: `loss`인 {loss}에서 정답은 확률과 같이 0과 1 사이여야 합니다. {cure} "
        "받은 값: {received_from}부터 {received}까지의 값",
    },
    "cure_minus_one_to_one": {
        "en": "For labels -1 and 1: (y + 1) / 2, or loss='hinge' with activation='tanh'.",
        "ko": "레이블이 -1과 1이라면 (y + 1) / 2를 쓰거나, loss='hinge'와 activation='tanh'를 쓰세요.",
    },
    "cure_more_classes": {
        "en": "For more than two classes use softmax and sparse_categorical_crossentropy.",
        "ko": "클래스가 셋 이상이면 softmax와 sparse_categorical_crossentropy를 쓰세요.",
    },
    "cure_scale": {
        "en": "Bring them there first (pixels: y / 255).",
        "ko": "먼저 그 범위로 바꾸세요(픽셀이라면 y / 255).",
    },
    # --- summary ---
    "summary_line_length": {
        "en": "summary: `line_length` must be a positive integer. Received: {received}",
        "ko": "summary: `line_length`에는 양의 정수를 넣어야 합니다. 받은 값: {received}",
    },
    "summary_positions": {
        "en": "summary: `positions` must be {columns} increasing numbers, the end of each column. Received: {received}",
        "ko": "summary: `positions`에는 각 열의 끝 위치를 커지는 순서로 {columns}개 넣어야 합니다. 받은 값: {received}",
    },
    "summary_layer_range": {
        "en": "summary: `layer_range` must be two names of layers, the first and the last shown. Received: {received}",
        "ko": "summary: `layer_range`에는 보여 줄 첫 층과 마지막 층의 이름을 넣어야 합니다. 받은 값: {received}",
    },
    "summary_no_such_layer": {
        "en": "summary: `layer_range` must name layers of the model, {names}. Received: {received}",
        "ko": "summary: `layer_range`의 이름은 모델에 있는 층이어야 합니다: {names}. 받은 값: {received}",
    },
    # --- pictures ---
    "plot_direction": {
        "en": "plot_model: `rankdir` must be one of {known}. Received: {received}",
        "ko": "plot_model: `rankdir`에는 {known} 중 하나를 넣어야 합니다. 받은 값: {received}",
    },
    "plot_needs_graphviz": {
        "en": "plot_model: this format needs Graphviz, its program `dot` (graphviz.org) and pip install "
        "'fastkeras[graphviz]'; to_file='model.svg' needs neither. Received: {received}",
        "ko": "plot_model: 이 형식에는 Graphviz가 필요합니다. `dot` 프로그램(graphviz.org)을 설치하고 pip install "
        "'fastkeras[graphviz]'를 실행하세요. to_file='model.svg'에는 둘 다 필요 없습니다. 받은 값: {received}",
    },
    "plot_failed": {
        "en": "plot_model: Graphviz could not draw the format '{format}'. Received: {received}",
        "ko": "plot_model: Graphviz가 '{format}' 형식을 그리지 못했습니다. 받은 값: {received}",
    },
    "history_needs_matplotlib": {
        "en": "History.plot draws with matplotlib: pip install 'fastkeras[plots]'. Received: {received}",
        "ko": "History.plot에는 matplotlib이 필요합니다: pip install 'fastkeras[plots]'. 받은 값: {received}",
    },
    "pictures_need_extra": {
        "en": "{module}, which reads or changes pictures, is missing: pip install 'fastkeras[images]'. "
        "Received: {received}",
        "ko": "이미지를 읽거나 바꾸는 {module} 모듈이 없습니다: pip install 'fastkeras[images]'. 받은 값: {received}",
    },
    "history_empty": {
        "en": "History.plot: there is nothing to draw before an epoch has ended. Received: {received}",
        "ko": "History.plot: 에포크가 하나도 끝나지 않아 그릴 것이 없습니다. 받은 값: {received}",
    },
}


def message(name, /, **fields):
    """The message of that name in the language of FASTKERAS_LANG, with its fields filled in."""
    return TABLE[name][_chosen()].format(**fields)


def names_of(layer):
    """The fields of a message that say which layer it is about: its name and its class."""
    return {"layer": layer.name, "kind": type(layer).__name__}


def with_cure(text, cure):
    """A message with a sentence put before what was received."""
    start, marker, received = text.rpartition(_RECEIVED[_chosen()])
    return f"{start}{cure} {marker}{received}" if marker else f"{text} {cure}"


def notice(name, /, **fields):
    """`warn` with that message."""
    warn(message(name, **fields))


def warn(text):
    """Warns at the line outside of fastkeras that led here: of the user's script, not of the library."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "fastkeras":
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def _chosen():
    return _language(os.environ.get("FASTKERAS_LANG", "en"))


@functools.cache
def _language(wanted):
    """The language that FASTKERAS_LANG names; English, and a warning when that is first asked for, for none of them."""
    if wanted.lower() in LANGUAGES:
        return wanted.lower()
    guess = difflib.get_close_matches(wanted.lower(), LANGUAGES, n=1, cutoff=0.3)
    hint = f"Did you mean '{guess[0]}'?" if guess else f"Known: {', '.join(LANGUAGES)}."
    warn(f"FASTKERAS_LANG: unknown language; messages are in English. {hint} Received: '{wanted}'")
    return "en"
