/* address.h - IP addresses, and lists of networks. */

#ifndef POSTERN_BASE_ADDRESS_H
#define POSTERN_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_SIZE 16

/* An IPv6 address; an IPv4 one is ::ffff:a.b.c.d (RFC 4291 2.5.5.2), however it
 * was written. */
struct address {
	unsigned char bytes[ADDRESS_SIZE];
};

/* Read "192.0.2.1" or "2001:db8::1".  0; or -1: it is none, and *address is of no
 * use. */
int address_parse(const char *text, struct address *address);

bool address_is_ipv4(const struct address *address);

/* Keep the first `bits` of all 128, also of an IPv4 address; the others become 0. */
void address_cut(struct address *address, unsigned bits);

/*
 * Is an address in one of the networks of a comma-separated list?  Each is
 * ADDRESS or ADDRESS/BITS; one that is malformed holds nobody.
 */
bool address_in_list(const struct address *address, const char *list);

/* Is each item of a list a network, with no bit set behind its prefix? */
bool address_list_is_valid(const char *list);

#endif
