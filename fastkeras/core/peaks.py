"""Peaks: a gradient that is zero but where max pooling found its maxima."""


class Peaks:
    """The gradient of y (B, ..., N) of which max pooling took the maxima, one for each of Q windows and each n:

        dy[b, p, n] = sum of values[b, q, n] over q with place[b, q, n] = p        p: counts the places of an image

    values: float32 (B, Q, N), the gradient of the maxima; maxima: float32 (B, Q, N), y[b, place[b, q, n], n]; place:
    int32 (B, Q, N). Their middle axes may be several.

    Max pooling returns one if its run says that the layer before it takes them (Run.takes_peaks).
    """

    __slots__ = ("maxima", "place", "values")

    def __init__(self, values, maxima, place):
        self.values = values
        self.maxima = maxima
        self.place = place
