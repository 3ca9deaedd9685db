/* fuzz_csv.c - what is imported may be any bytes. */

#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "fuzz.h"

/* Write a record as RFC 4180 has it, every field in quotes. */
static size_t
write_record(const struct csv_record *record, char *to)
{
	size_t size = 0;

	for (size_t i = 0; i < record->count; i++) {
		if (i > 0)
			to[size++] = ',';
		to[size++] = '"';
		for (size_t j = 0; j < record->fields[i].size; j++) {
			to[size++] = record->fields[i].text[j];
			if (to[size - 1] == '"')
				to[size++] = '"';
		}
		to[size++] = '"';
	}
	to[size++] = '\n';
	return size;
}

/* A record that was written comes back as it was. */
static void
check_written(const struct csv_record *record, size_t size)
{
	char *written = memory_zeroed(2 * size + 3 * record->count + 1, 1);
	struct csv_record again;
	size_t used, length = write_record(record, written);
	const char *why;

	MUST(csv_take(written, length, false, &again, &used, &why) ==
	     CSV_RECORD);
	MUST(used == length && again.count == record->count);
	for (size_t i = 0; i < again.count; i++) {
		MUST(again.fields[i].size == record->fields[i].size);
		MUST(memcmp(again.fields[i].text, record->fields[i].text,
			 again.fields[i].size) == 0);
	}
	free(written);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = memory_text_part((const char *)data, size);
	char *part = memory_text_part((const char *)data, size);
	struct csv_record record;
	enum csv_result result, early;
	size_t at = 0, used, used_early;
	const char *why;

	while (at < size) {
		/* Half of it, and all of it: the half may want more, but what
		 * it gives is the same. */
		size_t half = (size - at + 1) / 2;

		memcpy(part, bytes + at, half);
		early = csv_take(part, half, false, &record, &used_early, &why);
		result =
		    csv_take(bytes + at, size - at, true, &record, &used, &why);
		MUST(result != CSV_MORE);
		MUST((result == CSV_BAD) == (why != NULL));
		MUST(used > 0 && used <= size - at);
		if (early != CSV_MORE)
			MUST(early == result && used_early == used);
		if (result == CSV_RECORD) {
			MUST(record.count >= 1 &&
			     record.count <= CSV_FIELDS_LIMIT);
			check_written(&record, used);
		}
		at += used;
	}
	free(part);
	free(bytes);
	return 0;
}
