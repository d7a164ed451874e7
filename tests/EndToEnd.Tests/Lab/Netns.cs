using System.Runtime.ExceptionServices;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>A network namespace. Sockets made inside it stay in it, whichever thread uses them later.</summary>
internal sealed class Netns : IDisposable
{
    public Netns(string name)
    {
        Name = name;
        Shell.Run("ip", "netns", "add", name);
        Ip("link set lo up");
    }

    public string Name { get; }

    /// <summary>Runs <c>ip</c> with the words of <paramref name="arguments"/> in the namespace.</summary>
    public string Ip(string arguments) => Shell.Run("ip", ["-n", Name, .. arguments.Split(' ')]);

    public string Exec(string file, params IEnumerable<string> arguments) => Shell.Run("ip", ["netns", "exec", Name, file, .. arguments]);

    public void Sysctl(string key, string value) => Exec("sysctl", "-qw", $"{key}={value}");

    /// <summary>
    /// Runs <paramref name="make"/> on a thread of its own that is inside the namespace. The thread ends with the
    /// call: a pool thread must never be left in another namespace.
    /// </summary>
    public T Inside<T>(Func<T> make)
    {
        T? made = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Native.EnterNetworkNamespace($"/run/netns/{Name}");
                made = make();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true, Name = $"in {Name}" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return made!;
    }

    public void Dispose() => Shell.Run("ip", "netns", "del", Name);
}
