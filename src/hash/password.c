#include "hash/password.h"
