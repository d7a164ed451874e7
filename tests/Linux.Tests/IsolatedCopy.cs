using System.Reflection;
using System.Runtime.Loader;

namespace NicHost.Linux.Tests;

/// <summary>A second NicHost.Linux in a load context of its own, as each plugin has one.</summary>
internal sealed class IsolatedCopy
{
    internal IsolatedCopy()
    {
        AssemblyLoadContext context = new($"copy-{Guid.NewGuid():N}");
        Assembly assembly = context.LoadFromAssemblyPath(typeof(MappedFile).Assembly.Location);
        MapType = assembly.GetType(typeof(MappedFile).FullName!, throwOnError: true)!;
    }

    internal Type MapType { get; }

    internal (nint Address, Func<bool> Poisoned, IDisposable Map) Map(int fd, int length)
    {
        MethodInfo map = MapType.GetMethod(nameof(MappedFile.Map))!;
        object protection = Enum.ToObject(map.GetParameters()[3].ParameterType, (int)Protection.ReadWrite);
        object mapped = map.Invoke(null, [fd, 0UL, (ulong)length, protection])!;
        PropertyInfo poisoned = MapType.GetProperty(nameof(MappedFile.Poisoned))!;
        nint address = (nint)MapType.GetProperty(nameof(MappedFile.Address))!.GetValue(mapped)!;
        return (address, () => (bool)poisoned.GetValue(mapped)!, (IDisposable)mapped);
    }
}
