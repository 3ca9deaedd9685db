#include "web/endpoint.h"
