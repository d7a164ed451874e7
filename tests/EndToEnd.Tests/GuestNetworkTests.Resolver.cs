using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

public abstract partial class GuestNetworkTests
{
    private const string Where = "getent ahostsv4 where.test | head -1 | cut -d' ' -f1";

    /// <summary>Each name server of the lab answers <c>where.test</c> with its own address.</summary>
    [RealGuestFact]
    public async Task Change_of_the_hosts_resolver_is_followed()
    {
        Assert.Equal($"{NetnsLab.DnsAddress}", await GuestMustAsync(Where));
        try
        {
            Lab.SetNameServers(NetnsLab.OtherDnsAddress);
            await GuestMustAsync($"for i in $(seq 50); do [ \"$({Where})\" = {NetnsLab.OtherDnsAddress} ] && exit 0; sleep 0.2; done; {Where}; exit 1", 40);
        }
        finally
        {
            Lab.SetNameServers(NetnsLab.DnsAddress);
        }

        await GuestMustAsync($"for i in $(seq 50); do [ \"$({Where})\" = {NetnsLab.DnsAddress} ] && exit 0; sleep 0.2; done; {Where}; exit 1", 40);
    }

    [RealGuestFact]
    public async Task Dead_first_name_server_does_not_stop_names()
    {
        try
        {
            Lab.SetNameServers(NetnsLab.NobodysAddress, NetnsLab.OtherDnsAddress);
            await GuestMustAsync($"for i in $(seq 10); do [ \"$({Where})\" = {NetnsLab.OtherDnsAddress} ] && exit 0; sleep 0.2; done; {Where}; exit 1", 60);
        }
        finally
        {
            Lab.SetNameServers(NetnsLab.DnsAddress);
        }

        await GuestMustAsync($"for i in $(seq 50); do [ \"$({Where})\" = {NetnsLab.DnsAddress} ] && exit 0; sleep 0.2; done; {Where}; exit 1", 60);
    }
}
