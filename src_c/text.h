/* text.h: the words of texts, numbered in the order in which they are first seen, and counted.
 *
 * A text is an array of `length` Unicode code points ("letters") of `width` bytes each: 1, 2 or 4, as Python
 * stores them. A word is a longest run of letters without a separator. A vocabulary keeps each distinct word
 * once, in a hash table with open addressing: a text is read letter by letter, and nothing of it is copied
 * but words never seen before.
 *
 * The hash of the word c_1 ... c_n is a polynomial in a secret odd key below 2^30:
 *     h = (c_1 + 1) key^n + (c_2 + 1) key^(n-1) + ... + (c_n + 1) key     mod 2^31 - 1
 * Two different words are two different polynomials, whose difference has at most n roots: of the 2^29 keys,
 * at most n give both the same h. So nobody who does not know the key can write a text whose words collide.
 */
#ifndef FK_TEXT_H
#define FK_TEXT_H

#include "fk.h"

typedef struct {
    uint8_t narrow[256];  /* 1 for each separator below 256 */
    const uint32_t *wide; /* the other separators, ascending: (n_wide) */
    fk_index n_wide;
} fk_separators;

typedef struct {
    uint32_t hash;
    uint32_t record; /* where the word's record begins; 0 if the slot is empty */
} fk_slot;

/* The parts of a word's record. Its letters take as few bytes each as the widest of them needs, 1, 2 or 4. */
enum { FK_RECORD_NUMBER, FK_RECORD_SHAPE /* 8 * length + width */, FK_RECORD_LETTERS };

enum { FK_WORD_LIMIT = 1 << 29 }; /* a word must have fewer letters */

/* Records follow one another from records[1] on. The memory is the caller's, who may replace it by larger blocks
 * between two calls: `records` keeps its contents, `slots` is filled anew by fk_vocabulary_rehash. To begin with,
 * slots are full of zeros, n_words = 0 and n_records = 1. */
typedef struct {
    uint64_t key;
    fk_slot *slots;    /* (n_slots), n_slots a power of two, more than max_words */
    uint32_t *records; /* (max_records), of which n_records are in use */
    fk_index n_slots, n_words, max_words, n_records, max_records;
    fk_index wanted; /* the length of the word that found no room */
} fk_vocabulary;

/* The number of elements of `records` that a word's record takes. */
FK_INLINE fk_index fk_record_size(fk_index length, int width)
{
    return FK_RECORD_LETTERS + fk_ceil_div(length * width, 4);
}

typedef struct {
    int64_t count;     /* how often the word occurred */
    int64_t documents; /* in how many documents */
    int64_t last;      /* the latest of them, numbered from 1 */
} fk_tally;

/* ids_k = the number of the k-th word from text[*position] on     ids (n <= max_ids) =, returns n
 * New words are added to the vocabulary. Without separators (NULL) each letter is a word. *position moves to
 * where reading ended: to `length`, or before a word for which there is no room (max_ids, max_words or
 * max_records). */
fk_index fk_text_words(int32_t *ids, fk_vocabulary *vocabulary, fk_index *position, const void *text,
                       int width, const fk_separators *separators, fk_index length, fk_index max_ids);

/* The number of the one word that `text` is as a whole, separators and all, even without letters; a new word
 * is added to the vocabulary. -1 if there is no room for it (max_words or max_records). */
fk_index fk_text_token(fk_vocabulary *vocabulary, const void *text, int width, fk_index length);

/* Puts the words of `old` (n_old) into more slots     slots (n_slots) =, zeros before */
void fk_vocabulary_rehash(fk_slot *slots, const fk_slot *old, fk_index n_slots, fk_index n_old);

/* tallies_w.count += 1 for each w of ids, tallies_w.documents += 1 for each distinct w
 * tallies (n_words) +=, zeros for a new word. ids (n) are the words of document 1, 2, 3, ... in turn. */
void fk_text_count(fk_tally *tallies, const int32_t *ids, int64_t document, fk_index n);

#endif
