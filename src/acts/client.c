#include "acts/client.h"
