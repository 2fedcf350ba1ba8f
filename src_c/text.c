#include "text.h"

#include <string.h>

/* --- letters and separators ----------------------------------------------------------------------------- */

FK_INLINE uint32_t letter_at(const void *text, int width, fk_index i)
{
    if (width == 1)
        return ((const uint8_t *)text)[i];
    if (width == 2)
        return ((const uint16_t *)text)[i];
    return ((const uint32_t *)text)[i];
}

static int is_wide_separator(const fk_separators *separators, uint32_t letter)
{
    fk_index begin = 0, end = separators->n_wide;
    while (begin < end) {
        const fk_index middle = begin + (end - begin) / 2;
        if (separators->wide[middle] < letter)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin < separators->n_wide && separators->wide[begin] == letter;
}

FK_INLINE int is_separator(const fk_separators *separators, uint32_t letter)
{
    if (letter < 256)
        return separators->narrow[letter];
    return separators->n_wide > 0 && is_wide_separator(separators, letter);
}

/* --- the hash ------------------------------------------------------------------------------------------- */

/* A number that is h mod p, p = 2^31 - 1: as 2^31 = 1 mod p, the bits from 31 on are added to the others. */
FK_INLINE uint64_t fold(uint64_t h) { return (h & 0x7fffffff) + (h >> 31); }

/* One more letter: (hash + letter + 1) key mod p. As key < 2^30 this stays below 2^33, whatever the word. */
FK_INLINE uint64_t hash_letter(uint64_t hash, uint32_t letter, uint64_t key)
{
    return fold((hash + letter + 1) * key);
}

FK_INLINE uint32_t hash_end(uint64_t hash) { return (uint32_t)fold(hash); }

/* --- the vocabulary ------------------------------------------------------------------------------------- */

/* A word in a text, before it is looked up. */
typedef struct {
    fk_index begin, end;
    uint32_t hash;
} piece;

FK_INLINE int is_same_word(const uint32_t *record, const void *text, int width, piece p)
{
    const void *letters = record + FK_RECORD_LETTERS;
    const int record_width = record[FK_RECORD_SHAPE] % 8;
    const fk_index n = p.end - p.begin;
    if (record[FK_RECORD_SHAPE] / 8 != n)
        return 0;
    if (record_width == width)
        return memcmp(letters, (const char *)text + p.begin * width, (size_t)(n * width)) == 0;
    fk_index i = 0;
    while (i < n && letter_at(letters, record_width, i) == letter_at(text, width, p.begin + i))
        i++;
    return i == n;
}

FK_INLINE int word_width(const void *text, int width, piece p)
{
    uint32_t all = 0;
    for (fk_index i = p.begin; i < p.end; i++)
        all |= letter_at(text, width, i);
    return all < 0x100 ? 1 : all < 0x10000 ? 2 : 4;
}

FK_INLINE void copy_letters(void *to, int to_width, const void *text, int width, piece p)
{
    for (fk_index i = p.begin; i < p.end; i++) {
        const uint32_t letter = letter_at(text, width, i);
        if (to_width == 1)
            ((uint8_t *)to)[i - p.begin] = (uint8_t)letter;
        else if (to_width == 2)
            ((uint16_t *)to)[i - p.begin] = (uint16_t)letter;
        else
            ((uint32_t *)to)[i - p.begin] = letter;
    }
}

/* The word's number. A new word is added; -1 if there is no room for it. */
FK_INLINE fk_index find_or_add(fk_vocabulary *v, const void *text, int width, piece p)
{
    const fk_index last_slot = v->n_slots - 1;
    fk_index s = p.hash & last_slot;
    while (v->slots[s].record != 0) {
        const uint32_t *record = v->records + v->slots[s].record;
        if (v->slots[s].hash == p.hash && is_same_word(record, text, width, p))
            return record[FK_RECORD_NUMBER];
        s = (s + 1) & last_slot;
    }

    const int new_width = word_width(text, width, p);
    const fk_index n = p.end - p.begin, size = fk_record_size(n, new_width);
    if (v->n_words == v->max_words || v->max_records - v->n_records < size || n >= FK_WORD_LIMIT) {
        v->wanted = n;
        return -1;
    }
    v->slots[s] = (fk_slot){p.hash, (uint32_t)v->n_records};
    uint32_t *record = v->records + v->n_records;
    record[FK_RECORD_NUMBER] = (uint32_t)v->n_words;
    record[FK_RECORD_SHAPE] = (uint32_t)(8 * n + new_width);
    copy_letters(record + FK_RECORD_LETTERS, new_width, text, width, p);
    v->n_records += size;
    return v->n_words++;
}

void fk_vocabulary_rehash(fk_slot *slots, const fk_slot *old, fk_index n_slots, fk_index n_old)
{
    for (fk_index o = 0; o < n_old; o++) {
        if (old[o].record == 0)
            continue;
        fk_index s = old[o].hash & (n_slots - 1);
        while (slots[s].record != 0)
            s = (s + 1) & (n_slots - 1);
        slots[s] = old[o];
    }
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The first word of text[i:], or without separators its first letter; at `length` if there is none. */
FK_INLINE piece next_word(const void *text, int width, const fk_separators *separators, uint64_t key,
                          fk_index i, fk_index length)
{
    uint64_t hash = 0;
    if (separators == NULL) {
        if (i == length)
            return (piece){length, length, 0};
        return (piece){i, i + 1, hash_end(hash_letter(hash, letter_at(text, width, i), key))};
    }
    while (i < length && is_separator(separators, letter_at(text, width, i)))
        i++;
    const fk_index begin = i;
    for (; i < length && !is_separator(separators, letter_at(text, width, i)); i++)
        hash = hash_letter(hash, letter_at(text, width, i), key);
    return (piece){begin, i, hash_end(hash)};
}

/* Words are split off this many at a time, then looked up: meanwhile the table comes from memory. */
enum { PIECES = 64 };

/* fk_text_words, compiled once for each width. */
FK_INLINE fk_index read_words(int32_t *ids, fk_vocabulary *v, fk_index *position, const void *text, int width,
                              const fk_separators *separators, fk_index length, fk_index max_ids)
{
    const fk_index last_slot = v->n_slots - 1;
    piece pieces[PIECES];
    fk_index n = 0;
    for (;;) {
        fk_index n_pieces = 0, end = *position;
        while (n_pieces < PIECES) {
            const piece p = next_word(text, width, separators, v->key, end, length);
            end = p.end;
            if (p.begin == length)
                break;
            __builtin_prefetch(v->slots + (p.hash & last_slot));
            pieces[n_pieces++] = p;
        }
        for (fk_index k = 0; k < n_pieces; k++)
            __builtin_prefetch(v->records + v->slots[pieces[k].hash & last_slot].record);

        for (fk_index k = 0; k < n_pieces; k++) {
            *position = pieces[k].begin;
            const fk_index word = n < max_ids ? find_or_add(v, text, width, pieces[k]) : -1;
            if (word < 0)
                return n;
            ids[n++] = (int32_t)word;
        }
        *position = end;
        if (end == length)
            return n;
    }
}

fk_index fk_text_words(int32_t *ids, fk_vocabulary *vocabulary, fk_index *position, const void *text,
                       int width, const fk_separators *separators, fk_index length, fk_index max_ids)
{
    if (width == 1)
        return read_words(ids, vocabulary, position, text, 1, separators, length, max_ids);
    if (width == 2)
        return read_words(ids, vocabulary, position, text, 2, separators, length, max_ids);
    return read_words(ids, vocabulary, position, text, 4, separators, length, max_ids);
}

fk_index fk_text_token(fk_vocabulary *vocabulary, const void *text, int width, fk_index length)
{
    uint64_t hash = 0;
    for (fk_index i = 0; i < length; i++)
        hash = hash_letter(hash, letter_at(text, width, i), vocabulary->key);
    return find_or_add(vocabulary, text, width, (piece){0, length, hash_end(hash)});
}

/* --- counting ------------------------------------------------------------------------------------------- */

void fk_text_count(fk_tally *tallies, const int32_t *ids, int64_t document, fk_index n)
{
    for (fk_index k = 0; k < n; k++) {
        fk_tally *tally = tallies + ids[k];
        tally->count++;
        if (tally->last != document) {
            tally->last = document;
            tally->documents++;
        }
    }
}
