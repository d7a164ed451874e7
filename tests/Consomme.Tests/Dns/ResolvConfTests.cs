using NicHost.Consomme.Dns;

namespace NicHost.Consomme.Tests.Dns;

public sealed class ResolvConfTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [Fact]
    public void File_is_followed_as_it_changes_however_it_is_replaced()
    {
        File.WriteAllText(_path, "# comment\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 \nsearch A.example b.example.\noptions ndots:1\n");
        var conf = new ResolvConf(_path);
        Assert.True(conf.Refresh(0));
        Assert.Equal(["192.0.2.1:53", "[2001:db8::1]:53"], conf.Servers.Select(s => s.ToString()));
        Assert.Equal(["a.example", "b.example"], conf.Search);

        File.WriteAllText(_path + "2", "nameserver 127.0.0.53\n");
        File.Move(_path + "2", _path, overwrite: true);
        Assert.False(conf.Refresh(1999));
        Assert.True(conf.Refresh(2000));
        Assert.Equal(["127.0.0.53:53"], conf.Servers.Select(s => s.ToString()));
        Assert.Empty(conf.Search);
        Assert.False(conf.Refresh(4000));

        File.Delete(_path);
        Assert.False(conf.Refresh(6000));
        Assert.Single(conf.Servers);
    }

    [Fact]
    public void File_without_servers_means_the_host_itself()
    {
        var conf = new ResolvConf(_path);
        Assert.True(conf.Refresh(0));
        Assert.Equal("127.0.0.1:53", Assert.Single(conf.Servers).ToString());
    }

    public void Dispose() => File.Delete(_path);
}
