#include "random.h"

#include <string.h>

#include "simd.h"
#include "threads.h"

enum {
    SIDE = 32,        /* blocks computed side by side */
    TILE = 4 * SIDE,  /* words they give */
    ROUNDS = 10,
    GRAIN = 32 * 1024, /* words that are worth a thread */
    BACKWARD_GRAIN = 64 * 1024 /* products that are */
};

/* Multipliers of the rounds, and what is added to the two halves of the key between rounds. */
static const uint32_t MULTIPLY_0 = 0xD2511F53u, MULTIPLY_1 = 0xCD9E8D57u;
static const uint32_t KEY_STEP_0 = 0x9E3779B9u, KEY_STEP_1 = 0xBB67AE85u;

/* word = the tile of SIDE blocks from `first` on:  word[w*SIDE + s] is word w of block first + s */
static void philox_tile(uint32_t word[TILE], uint64_t key, uint64_t counter, uint64_t first)
{
    uint32_t *const word_0 = word, *const word_1 = word + SIDE;
    uint32_t *const word_2 = word + 2 * SIDE, *const word_3 = word + 3 * SIDE;
    uint32_t key_0 = (uint32_t)key, key_1 = (uint32_t)(key >> 32);
    for (int s = 0; s < SIDE; s++) {
        word_0[s] = (uint32_t)(first + (uint64_t)s);
        word_1[s] = (uint32_t)((first + (uint64_t)s) >> 32);
        word_2[s] = (uint32_t)counter;
        word_3[s] = (uint32_t)(counter >> 32);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int s = 0; s < SIDE; s++) {
            const uint64_t product_0 = (uint64_t)MULTIPLY_0 * word_0[s];
            const uint64_t product_1 = (uint64_t)MULTIPLY_1 * word_2[s];
            word_0[s] = (uint32_t)(product_1 >> 32) ^ word_1[s] ^ key_0;
            word_1[s] = (uint32_t)product_1;
            word_2[s] = (uint32_t)(product_0 >> 32) ^ word_3[s] ^ key_1;
            word_3[s] = (uint32_t)product_0;
        }
        key_0 += KEY_STEP_0;
        key_1 += KEY_STEP_1;
    }
}

void fk_random_words(uint32_t *words, uint64_t key, uint64_t counter, fk_index n)
{
    FK_FOR_EACH(i, n, TILE, fk_threads_for(n, GRAIN), {
        uint32_t word[TILE];
        philox_tile(word, key, counter, (uint64_t)(i / 4));
        memcpy(words + i, word, (size_t)fk_min(TILE, n - i) * sizeof(uint32_t));
    });
}

/* 1 / (1 - rate); what is multiplied by it is 0 if the rate is 1 */
static float scale_of(double rate) { return rate < 1.0 ? (float)(1.0 / (1.0 - rate)) : 0.0f; }

/* y = x kept scale */
FK_INLINE void keep(float *y, const float *x, const uint8_t *kept, float scale, fk_index n)
{
    for (fk_index i = 0; i < n; i++)
        y[i] = kept[i] ? x[i] * scale : 0.0f;
}

void fk_random_dropout(float *y, uint8_t *kept, const float *x, uint64_t key, uint64_t counter, double rate,
                       fk_index n)
{
    const uint64_t threshold = (uint64_t)(rate * 0x1p32); /* 2^32, above every word, if the rate is 1 */
    const float scale = scale_of(rate);
    FK_FOR_EACH(i, n, TILE, fk_threads_for(n, GRAIN), {
        const fk_index size = fk_min(TILE, n - i);
        uint32_t word[TILE];
        uint8_t unasked[TILE], *kept_i = kept ? kept + i : unasked;
        philox_tile(word, key, counter, (uint64_t)(i / 4));
        for (fk_index j = 0; j < size; j++)
            kept_i[j] = word[j] >= threshold;
        keep(y + i, x + i, kept_i, scale, size);
    });
}

void fk_random_dropout_backward(float *dx, const float *dy, const uint8_t *kept, double rate, fk_index n)
{
    const float scale = scale_of(rate);
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, BACKWARD_GRAIN),
                  keep(dx + i, dy + i, kept + i, scale, end - i));
}

/* sin(2 pi t) for t in [-1/2, 3/4], to 3e-7:
 * the series of sin to the eleventh power, t being brought to [-1/4, 1/4] */
FK_INLINE vf sine_of_turns(vf t)
{
    t = vf_select(t > 0.25f, 0.5f - t, vf_select(t < -0.25f, -0.5f - t, t));
    const vf x = 6.28318530717958648f * t, s = x * x;
    const vf series =
        ((((-1.0f / 39916800 * s + 1.0f / 362880) * s - 1.0f / 5040) * s + 1.0f / 120) * s - 1.0f / 6) * s;
    return x + x * series;
}

void fk_random_normal(float *y, uint64_t key, uint64_t counter, float mean, float stddev, fk_index n)
{
    enum { HALF = TILE / 2 };
    FK_FOR_EACH(i, n, TILE, fk_threads_for(n, GRAIN), {
        uint32_t word[TILE];
        float u[HALF], t[HALF], normal[TILE];
        philox_tile(word, key, counter, (uint64_t)(i / 4));
        for (int j = 0; j < HALF; j++) {
            u[j] = (float)((word[j] >> 8) + 1) * 0x1p-24f;
            t[j] = (float)(int32_t)word[HALF + j] * 0x1p-32f;
        }
        for (int j = 0; j < HALF; j += FK_VL) {
            const vf r = stddev * vf_sqrt(-2.0f * vf_log(vf_load(u + j))), angle = vf_load(t + j);
            vf_store(normal + j, mean + r * sine_of_turns(angle + 0.25f));
            vf_store(normal + HALF + j, mean + r * sine_of_turns(angle));
        }
        memcpy(y + i, normal, (size_t)fk_min(TILE, n - i) * sizeof(float));
    });
}
