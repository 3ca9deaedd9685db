/* json_strict.h - is this text JSON as RFC 8259 has it? */

#ifndef POSTERN_BASE_JSON_STRICT_H
#define POSTERN_BASE_JSON_STRICT_H

#include <stddef.h>

/*
 * Scan a text without taking memory.  Returns NULL when it is one JSON value by
 * the rules that json.h promises, else a short English reason (a constant).
 * *members is the number of members of all its objects together: json.c compares
 * it with what json-c kept, and so finds a name that stood twice.
 */
const char *json_strict(const char *text, size_t size, size_t *members);

#endif
