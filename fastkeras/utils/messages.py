"""What the library says to people who learn, in English and in Korean: one table, both languages side by side.

FASTKERAS_LANG=ko in the environment chooses Korean; English is said otherwise. Names of the code (layers, arguments,
shapes) stay as they are in both. A message ends with what was received.
"""

import os
import sys
import warnings

LANGUAGES = ("en", "ko")

TABLE = {
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
        "en": "plot_model: this format needs Graphviz, its program `dot` or the extra: pip install "
        "'fastkeras[graphviz]'; to_file='model.svg' needs neither. Received: no program {received}",
        "ko": "plot_model: 이 형식에는 Graphviz가 필요합니다. `dot` 프로그램을 설치하거나 pip install "
        "'fastkeras[graphviz]'를 실행하세요. to_file='model.svg'에는 둘 다 필요 없습니다. 받은 값: {received} 없음",
    },
    "plot_failed": {
        "en": "plot_model: Graphviz could not draw the format '{format}'. Received: {received}",
        "ko": "plot_model: Graphviz가 '{format}' 형식을 그리지 못했습니다. 받은 값: {received}",
    },
    "history_needs_matplotlib": {
        "en": "History.plot draws with matplotlib: pip install 'fastkeras[plots]'. Received: {received}",
        "ko": "History.plot에는 matplotlib이 필요합니다: pip install 'fastkeras[plots]'. 받은 값: {received}",
    },
    "history_empty": {
        "en": "History.plot: there is nothing to draw before an epoch has ended. Received: {received}",
        "ko": "History.plot: 에포크가 하나도 끝나지 않아 그릴 것이 없습니다. 받은 값: {received}",
    },
}


def message(name, **fields):
    """The message of that name in the language of FASTKERAS_LANG, with its fields filled in."""
    return TABLE[name][_language()].format(**fields)


def notice(name, **fields):
    """Warns with that message, at the line outside of fastkeras that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "fastkeras":
        level, frame = level + 1, frame.f_back
    warnings.warn(message(name, **fields), stacklevel=level)


def _language():
    wanted = os.environ.get("FASTKERAS_LANG", "en")
    return wanted if wanted in LANGUAGES else "en"
