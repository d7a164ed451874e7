/* Stands in for computenetwork.dll where there is none: two networks, as the host network service describes them. */
#include <windows.h>
#include <objbase.h>
#include <string.h>
#include <wchar.h>

#define NETWORK_NOT_FOUND ((HRESULT)0x803B0001)

static const GUID default_switch = {0xc08cb7b8, 0x9b3c, 0x408e, {0x8e, 0x30, 0x5e, 0x16, 0xa3, 0xae, 0xb4, 0x44}};
static const GUID lab = {0x11111111, 0x2222, 0x3333, {0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55}};

static HRESULT give(const wchar_t *text, wchar_t **out)
{
    size_t bytes = (wcslen(text) + 1) * sizeof(wchar_t);
    *out = CoTaskMemAlloc(bytes);
    if (!*out)
        return E_OUTOFMEMORY;
    memcpy(*out, text, bytes);
    return S_OK;
}

__declspec(dllexport) HRESULT WINAPI HcnEnumerateNetworks(const wchar_t *query, wchar_t **networks, wchar_t **error)
{
    (void)query;
    *error = NULL;
    return give(L"[\"C08CB7B8-9B3C-408E-8E30-5E16A3AEB444\",\"11111111-2222-3333-4444-555555555555\"]", networks);
}

__declspec(dllexport) HRESULT WINAPI HcnOpenNetwork(const GUID *id, void **network, wchar_t **error)
{
    *network = NULL;
    if (!memcmp(id, &default_switch, sizeof *id))
        *network = (void *)&default_switch;
    else if (!memcmp(id, &lab, sizeof *id))
        *network = (void *)&lab;
    if (*network) {
        *error = NULL;
        return S_OK;
    }
    give(L"{\"Success\":false,\"Error\":\"The network was not found.\",\"ErrorCode\":2151350273}", error);
    return NETWORK_NOT_FOUND;
}

__declspec(dllexport) HRESULT WINAPI HcnQueryNetworkProperties(void *network, const wchar_t *query, wchar_t **properties, wchar_t **error)
{
    (void)query;
    *error = NULL;
    if (network == (void *)&lab)
        return give(L"{\"ID\":\"11111111-2222-3333-4444-555555555555\",\"Name\":\"lab\",\"Type\":\"Internal\"}", properties);
    return give(L"{\"ID\":\"C08CB7B8-9B3C-408E-8E30-5E16A3AEB444\",\"Name\":\"Default Switch\",\"Type\":\"ICS\","
                L"\"SwitchName\":\"Default Switch\",\"SwitchGuid\":\"C08CB7B8-9B3C-408E-8E30-5E16A3AEB444\"}", properties);
}

__declspec(dllexport) HRESULT WINAPI HcnCloseNetwork(void *network)
{
    (void)network;
    return S_OK;
}
