/* text.c - Unicode text, as libunistring knows it. */

#include <string.h>

#include <unictype.h>
#include <unistr.h>
#include <uniwidth.h>

#include "base/text.h"

bool
text_is_utf8(const char *text, size_t size)
{
	return size == 0 || u8_check((const uint8_t *)text, size) == NULL;
}

bool
text_is_ascii(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

size_t
text_next(const char *text, size_t size, uint32_t *code)
{
	ucs4_t read;
	int length;

	if (size == 0)
		return 0;
	length = u8_mbtoucr(&read, (const uint8_t *)text, size);
	if (length <= 0)
		return 0;
	*code = read;
	return (size_t)length;
}

size_t
text_mend(const char *text, size_t size, char *out)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t used = 0, length;
	uint32_t code;

	while (size > 0) {
		length = text_next(text, size, &code);
		if (length > 0) {
			memcpy(out + used, text, length);
			used += length;
		} else {
			memcpy(out + used, replacement, 3);
			used += 3;
			length = 1;
		}
		text += length;
		size -= length;
	}
	return used;
}

bool
text_is_graphic(uint32_t code)
{
	return uc_is_general_category_withtable(code,
		   UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
		       UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_P |
		       UC_CATEGORY_MASK_S) &&
	    !uc_is_property_default_ignorable_code_point(code);
}

bool
text_is_word(uint32_t code)
{
	return uc_is_general_category_withtable(code,
		   UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
		       UC_CATEGORY_MASK_Nd) &&
	    !uc_is_property_default_ignorable_code_point(code);
}

bool
text_is_mark(uint32_t code)
{
	return uc_is_general_category_withtable(code, UC_CATEGORY_MASK_M);
}

int
text_columns(uint32_t code)
{
	int columns = uc_width(code, "UTF-8");

	return columns < 0 ? 1 : columns;
}
