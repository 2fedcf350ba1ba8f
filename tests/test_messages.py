"""The table of messages: both languages say the same, and every entry is said somewhere."""

import re
import string
import warnings
from pathlib import Path

import pytest
from small_models import classifier, points

import fastkeras as keras
from fastkeras import layers
from fastkeras.layers import LSTM, Dense
from fastkeras.utils import messages, suggest
from fastkeras.utils.messages import TABLE, message, with_cure

# Sentences within a message, and messages about what is not there yet.
_WITHOUT_RECEIVED = re.compile(r"kind_|cure_|place_|in_layer$|not_compiled$|not_built$|no_layers$")


@pytest.fixture
def korean(monkeypatch):
    monkeypatch.setenv("FASTKERAS_LANG", "ko")


def fields(text):
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("name", TABLE)
def test_both_languages_say_the_same(name):
    english, korean = TABLE[name]["en"], TABLE[name]["ko"]
    assert list(TABLE[name]) == ["en", "ko"]
    assert fields(english) == fields(korean)
    assert not re.search("[가-힣]", english) and re.search("[가-힣]", korean)
    ends = [english.count("Received: "), korean.count("받은 값: ")]
    assert ends == ([0, 0] if _WITHOUT_RECEIVED.match(name) else [1, 1])
    assert re.findall(r"`[^`]*`", english) or not re.findall(r"`[^`{]*`", korean)
    assert not re.search(r"[은을이와]\([는를가과]\)", korean)  # words are put so that no particle depends on a name


def test_every_entry_is_said_somewhere():
    folder = Path(keras.__file__).parent
    code = "\n".join(path.read_text() for path in folder.rglob("*.py") if path.name != "messages.py")
    kinds = {name for name in TABLE if name.startswith("kind_")}
    unsaid = {name for name in TABLE if f'"{name}"' not in code} - kinds
    assert unsaid == set()
    for name in kinds - {"kind_argument", "kind_name", "kind_output"}:
        kind = name.removeprefix("kind_")
        assert f'"{kind}"' in code and suggest.unknown(kind, "x", ["y"]).startswith(f"Unknown {kind}. ")


def test_english_unless_another_language_is_asked_for(monkeypatch):
    monkeypatch.delenv("FASTKERAS_LANG", raising=False)
    assert message("x_missing") == TABLE["x_missing"]["en"]
    for wanted, spoken in (("en", "en"), ("ko", "ko"), ("KO", "ko")):
        monkeypatch.setenv("FASTKERAS_LANG", wanted)
        assert message("x_missing") == TABLE["x_missing"][spoken]


@pytest.mark.parametrize(("wanted", "hint"), [("kr", "Did you mean 'ko'?"), ("zz", "Known: en, ko.")])
def test_an_unknown_language_is_english_with_a_notice(monkeypatch, wanted, hint):
    messages._language.cache_clear()
    monkeypatch.setenv("FASTKERAS_LANG", wanted)
    with pytest.warns(UserWarning, match=re.escape(f"messages are in English. {hint} Received: '{wanted}'")) as caught:
        assert message("x_missing") == TABLE["x_missing"]["en"]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert message("y_missing") == TABLE["y_missing"]["en"]  # said once


def test_a_cure_stands_before_what_was_received(monkeypatch):
    assert with_cure("A is wrong. Received: 3", "Do B.") == "A is wrong. Do B. Received: 3"
    assert with_cure("A is wrong.", "Do B.") == "A is wrong. Do B."
    monkeypatch.setenv("FASTKERAS_LANG", "ko")
    assert with_cure("잘못되었습니다. 받은 값: 3", "고치세요.") == "잘못되었습니다. 고치세요. 받은 값: 3"


def two_recurrent_layers():
    keras.Sequential([LSTM(3, input_shape=(5, 2), name="first"), LSTM(2, name="second")])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: keras.losses.get("binary_crossent"),
            "알 수 없는 손실 함수(loss)입니다. 혹시 'binary_crossentropy'인가요? 받은 값: 'binary_crossent'",
        ),
        (
            lambda: Dense(1, activaton="relu"),
            "알 수 없는 Dense의 인수입니다. 혹시 'activation'인가요? 받은 값: 'activaton'",
        ),
        (
            lambda: keras.Seqeuntial(),
            "알 수 없는 fastkeras의 이름입니다. 혹시 'Sequential'인가요? 받은 값: 'Seqeuntial'",
        ),
        (
            lambda: classifier().fit(points(5)[0], points(4)[1]),
            "`x`와 `y`의 샘플 수가 같아야 합니다. 받은 값: x는 5개, y는 4개",
        ),
        (
            lambda: keras.Sequential([Dense(1, input_dim=1)], name="m").fit([1], [1]),
            "모델 'm': 훈련이나 평가를 하기 전에 먼저 컴파일해야 합니다: model.compile(...)",
        ),
        (
            two_recurrent_layers,
            "층 'second' (LSTM)에는 shape (batch, steps, features)인 입력이 필요합니다. 바로 앞 층 'first' "
            "(LSTM)에서는 마지막 스텝만 나옵니다. 그 층에 return_sequences=True를 쓰세요. 받은 값: shape (None, 3)",
        ),
        (
            lambda: Dense(2, name="d")([[1.0, 2.0], [3.0]]),
            "층 'd' (Dense): `inputs`의 행마다 길이가 다릅니다. 먼저 pad_sequences로 길이를 맞추세요. "
            "받은 값: [[1.0, 2.0], [3.0]]",
        ),
        (
            lambda: layers.Conv2D(2, 3, name="c")(keras.Input((2, 5, 1))),
            "층 'c' (Conv2D)에는 크기가 3 x 3 이상인 입력이 필요합니다. 받은 값: shape (None, 2, 5, 1)",
        ),
        (
            lambda: layers.Reshape((2, 2), name="r")(keras.Input((5,))),
            "층 'r' (Reshape): 값 5개를 target_shape=(2, 2)에 맞출 수 없습니다. 받은 값: shape (None, 5)",
        ),
        (
            lambda: keras.Sequential([Dense(1, input_shape=(2,), name="d")]).layers[0].set_weights([[1.0]]),
            "층 'd': set_weights()에는 shape [(2, 1), (1,)]인 배열 2개를 넣어야 합니다. 받은 값: [(1,)]",
        ),
    ],
)
def test_what_learners_read_in_korean(korean, call, said):
    with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
        call()
    assert str(caught.value) == said
