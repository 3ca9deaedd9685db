/* ctl_text.h - text on a terminal: nothing in it is an order to the terminal, and it
 * keeps within the width. */

#ifndef POSTERN_CTL_CTL_TEXT_H
#define POSTERN_CTL_CTL_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* The longest form of one byte or character: \u{10ffff}. */
#define CTL_TEXT_SHOWN_SIZE 12

/*
 * The next character of a text of `size` bytes (at least one) as it is shown, or
 * the byte where there is none; whatever is not graphic is escaped.  Returns how
 * many bytes of the text it stands for.
 */
size_t ctl_text_show(const char *text, size_t size,
    char shown[static CTL_TEXT_SHOWN_SIZE]);

/* Write a text so that nothing in it reaches the terminal as an order: what is
 * not graphic is escaped, a tab is a blank, and a line break is followed by
 * `indent` blanks. */
void ctl_text_put(FILE *out, const char *text, int indent);

/*
 * The same for words that begin in column `at`, counted from 0: on a terminal
 * they go on in the next line, after `indent` blanks, where they would not fit
 * into 80 columns, or fewer if it has no more.  A file or a program gets the
 * lines as they are.
 */
void ctl_text_wrapped(FILE *out, const char *text, int at, int indent);

/* Columns that a graphic text takes. */
int ctl_text_width(const char *text);

/* How many bytes of a graphic text fit into so many columns; it is not cut within
 * a character. */
size_t ctl_text_fitting(const char *text, int width);

/* Columns that a line may have: the terminal's, or 80 when it does not tell;
 * INT_MAX where `out` is no terminal. */
int ctl_text_limit(FILE *out);

#endif
