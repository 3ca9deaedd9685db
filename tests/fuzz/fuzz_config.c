/* fuzz_config.c - any file of settings is loaded and can be shown, or is refused
 * with a reason. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"
#include "fuzz.h"

extern char **environ;

/* A file in memory with these bytes, as a path. */
static const char *
file_of(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd == -1) {
		fd = memfd_create("settings", MFD_CLOEXEC);
		MUST(fd != -1);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0);
	MUST(pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

/* No line is wider than a terminal, counted in characters. */
static void
check_print(const struct config *config)
{
	char *text = NULL;
	size_t size = 0, column = 0;
	FILE *out = open_memstream(&text, &size);

	MUST(out != NULL);
	config_print(config, out);
	MUST(fclose(out) == 0);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			column = 0;
		else if (((unsigned char)text[i] & 0xc0) != 0x80)
			column++;
		MUST(column <= 80);
	}
	free(text);
}

/* A file that says `password=hush` is never quoted with it. */
static void
check_value(const struct config *config, const struct config_setting *setting)
{
	char value[CONFIG_VALUE_SIZE], origin[CONFIG_ORIGIN_SIZE];

	config_value(config, setting, value);
	config_origin(config, setting, origin);
	MUST(strlen(value) < sizeof(value) && strlen(origin) > 0);
	if (setting->kind == CONFIG_SECRET_TEXT)
		MUST(strstr(value, "password=hush") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *no_environment[] = { NULL };
	const struct config_setting *table;
	char why[CONFIG_WHY_SIZE] = "";
	struct config *config;
	size_t count;

	environ = no_environment;
	config = config_load(file_of(data, size), why);
	if (config == NULL) {
		MUST(strlen(why) > 0 && strlen(why) < sizeof(why));
		return 0;
	}
	MUST(why[0] == '\0');
	table = config_table(&count);
	for (size_t i = 0; i < count; i++)
		check_value(config, &table[i]);
	check_print(config);
	config_free(config);
	return 0;
}
