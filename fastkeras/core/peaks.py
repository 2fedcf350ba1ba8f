"""What passes between a convolution and the max pooling behind it: not the whole output, nor the whole gradient."""


class Unpooled:
    """The output y (B, OH, OW, N) of a convolution that max pooling alone reads: not made yet.

    shape: y's, as the layers have it (a sequence's has no OH); images: (B, OH, OW, N).
    array(): makes y. maxima(m, place, geometry): makes its maxima alone, as the pooling kernel's max_forward does.

    A layer's forward returns one if its run says so (Run.unpooled).
    """

    __slots__ = ("_make", "_y", "images", "maxima", "shape")

    def __init__(self, shape, images, make, maxima):
        self.shape = shape
        self.images = images
        self.maxima = maxima
        self._make = make
        self._y = None

    def array(self):
        if self._y is None:
            self._y = self._make()
        return self._y


class Peaks:
    """The gradient of y where max pooling took its maxima, one for each of Q windows and each n; it is zero elsewhere:

        dy[b, p, n] = sum of values[b, q, n] over q with place[b, q, n] = p        p: counts the places of an image

    values: float32 (B, *Q, N), the gradient of the maxima; maxima: float32 (B, *Q, N); place: int32 (B, *Q, N);
    geometry: the pooling's windows, their strides and how many places of the first stand out in front.

    Max pooling returns one for Unpooled of which it took the maxima.
    """

    __slots__ = ("geometry", "maxima", "place", "values")

    def __init__(self, values, maxima, place, geometry):
        self.values = values
        self.maxima = maxima
        self.place = place
        self.geometry = geometry
