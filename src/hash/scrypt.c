#include "hash/scrypt.h"
