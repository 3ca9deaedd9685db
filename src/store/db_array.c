/* db_array.c - arrays as parameters, in PostgreSQL's binary form (array_send() in
 * its arrayfuncs.c): numbers of dimensions, of NULLs and of the type, length, lower
 * bound; then each item with its size before it. */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "store/db_private.h"

#define HEADER_SIZE   20
#define ROOM_AT_FIRST 4096

/* From the system catalogue (pg_type.dat); they never change. */
static const struct {
	unsigned item, array;
} types[] = {
	[DB_ARRAY_TEXT] = { 25, 1009 },
	[DB_ARRAY_ID] = { 2950, 2951 },
	[DB_ARRAY_SMALL] = { 21, 1005 },
};

static void
put_number(unsigned char *to, uint32_t number)
{
	for (int i = 3; i >= 0; i--, number >>= 8)
		to[i] = number & 0xff;
}

/* Room for so many bytes more; what moves is wiped where it was. */
static void
make_room(struct db_array *array, size_t more)
{
	unsigned char *larger;
	size_t room = array->room;

	while (room - array->size < more)
		room *= 2;
	if (room == array->room)
		return;
	larger = memory_zeroed(room, 1);
	memcpy(larger, array->bytes, array->size);
	secret_wipe(array->bytes, array->size);
	free(array->bytes);
	array->bytes = larger;
	array->room = room;
}

struct db_array
db_array_new(enum db_array_kind kind)
{
	return (struct db_array){
		.kind = kind,
		.bytes = memory_zeroed(ROOM_AT_FIRST, 1),
		.room = ROOM_AT_FIRST,
		.size = HEADER_SIZE,
	};
}

void
db_array_free(struct db_array *array)
{
	secret_wipe(array->bytes, array->size);
	free(array->bytes);
	array->bytes = NULL;
}

static void
add(struct db_array *array, const void *bytes, size_t size)
{
	make_room(array, size + 4);
	put_number(array->bytes + array->size, (uint32_t)size);
	memcpy(array->bytes + array->size + 4, bytes, size);
	array->size += size + 4;
	array->count++;
}

void
db_array_add_text(struct db_array *array, const char *text)
{
	if (text != NULL) {
		add(array, text, strlen(text));
		return;
	}
	make_room(array, 4);
	put_number(array->bytes + array->size, UINT32_MAX);
	array->size += 4;
	array->count++;
	array->has_null = true;
}

void
db_array_add_id(struct db_array *array, const struct id *id)
{
	add(array, id->bytes, ID_SIZE);
}

void
db_array_add_small(struct db_array *array, int16_t value)
{
	const unsigned bits = (uint16_t)value;
	const unsigned char bytes[2] = { bits >> 8 & 0xff, bits & 0xff };

	add(array, bytes, sizeof(bytes));
}

struct db_value
db_array_value(const struct db_array *array)
{
	put_number(array->bytes, 1);
	put_number(array->bytes + 4, array->has_null);
	put_number(array->bytes + 8, types[array->kind].item);
	put_number(array->bytes + 12, array->count);
	put_number(array->bytes + 16, 1);
	return (struct db_value){
		.bytes = array->bytes,
		.size = (int)array->size,
		.type = types[array->kind].array,
	};
}
