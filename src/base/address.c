/* address.c - IP addresses, and lists of networks. */

#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/list.h"

/* The longest network: an IPv6 address with an IPv4 one in it, and "/128". */
#define NETWORK_SIZE (INET6_ADDRSTRLEN + 4)

#define BITS      128
#define IPV4_BITS 96 /* before the four bytes of an IPv4 address */

static const unsigned char ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct network {
	struct address address;
	unsigned bits;
};

int
address_parse(const char *text, struct address *address)
{
	memcpy(address->bytes, ipv4_prefix, sizeof(ipv4_prefix));
	if (inet_pton(AF_INET, text, address->bytes + sizeof(ipv4_prefix)) == 1)
		return 0;
	return inet_pton(AF_INET6, text, address->bytes) == 1 ? 0 : -1;
}

bool
address_is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

void
address_cut(struct address *address, unsigned bits)
{
	size_t whole = bits / 8;

	if (whole >= ADDRESS_SIZE)
		return;
	address->bytes[whole] &= (unsigned char)(0xff00 >> bits % 8);
	memset(address->bytes + whole + 1, 0, ADDRESS_SIZE - whole - 1);
}

static bool
address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Read the digits behind the "/" of a network; more than 128 for what is no
 * number. */
static unsigned
parse_bits(const char *text)
{
	unsigned bits = 0;

	if (*text == '\0' || strlen(text) > 3)
		return BITS + 1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return BITS + 1;
		bits = bits * 10 + (unsigned)(*text - '0');
	}
	return bits;
}

/* Read ADDRESS or ADDRESS/BITS.  0, or -1: it is none. */
static int
parse_network(const char *item, size_t size, struct network *network)
{
	char text[NETWORK_SIZE];
	char *slash;

	if (size >= sizeof(text))
		return -1;
	memcpy(text, item, size);
	text[size] = '\0';
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (address_parse(text, &network->address) != 0)
		return -1;
	network->bits = BITS;
	if (slash == NULL)
		return 0;
	network->bits = parse_bits(slash + 1);
	if (strchr(text, ':') == NULL)
		network->bits += IPV4_BITS;
	return network->bits <= BITS ? 0 : -1;
}

static bool
holds(const struct network *network, const struct address *address)
{
	struct address cut = *address;

	address_cut(&cut, network->bits);
	return address_equal(&cut, &network->address);
}

bool
address_in_list(const struct address *address, const char *list)
{
	struct network network;
	const char *item;
	size_t size;

	while ((item = list_next(&list, &size)) != NULL)
		if (parse_network(item, size, &network) == 0 &&
		    holds(&network, address))
			return true;
	return false;
}

bool
address_list_is_valid(const char *list)
{
	struct network network;
	const char *item;
	size_t size;

	/* Bits behind the network's are a mistake: 192.0.2.1/24. */
	while ((item = list_next(&list, &size)) != NULL)
		if (parse_network(item, size, &network) != 0 ||
		    !holds(&network, &network.address))
			return false;
	return true;
}
